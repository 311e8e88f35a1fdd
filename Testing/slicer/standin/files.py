"""slicer.app.coreIOManager(): enough for slicer.util's loadVolume, loadScene, saveNode, exportNode and saveScene.

Followed: Slicer, Base/QTCore/qSlicerCoreIOManager.h. Reading and writing is done by the real logics and storage nodes.
"""

from pathlib import Path
from typing import Any

import slicer

VOLUMES = (".nrrd", ".nhdr", ".nii", ".nii.gz", ".mha", ".mhd", ".dcm")
SCENES = (".mrml", ".mrb")
LABEL_MAP, CENTRED, SINGLE_FILE = 1, 2, 4  # options of vtkSlicerVolumesLogic::AddArchetypeVolume


class CoreIOManager:
    """Reads volumes, tables and scenes; writes every storable node."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def fileType(self, name: Any) -> str:
        name = str(name).lower()
        kinds = {"VolumeFile": VOLUMES, "SceneFile": SCENES, "TableFile": (".csv", ".tsv")}
        return next((kind for kind, extensions in kinds.items() if name.endswith(extensions)), "NoFile")

    def fileWriterFileType(self, node: Any, _extension: str = "") -> str:
        return "NodeFile" if node.IsA("vtkMRMLStorableNode") else "NoFile"

    def fileWriterExtensions(self, node: Any) -> list[str]:
        if node.IsA("vtkMRMLVolumeNode"):  # whose storage node lists none without Slicer's other modules
            return [f"Volume ({extension})" for extension in VOLUMES if extension != ".dcm"]
        storage = node.CreateDefaultStorageNode()
        formats = storage.GetSupportedWriteFileTypes()
        return [formats.GetValue(index) for index in range(formats.GetNumberOfValues())]

    def extractKnownExtension(self, name: str, _node: Any = None) -> str:
        return next((known for known in VOLUMES if name.lower().endswith(known)), Path(name).suffix.lower())

    def registeredFileReaderCount(self, kind: str) -> int:
        return int(kind in ("VolumeFile", "SceneFile", "TableFile"))

    def loadNodes(self, kind: str, properties: dict[str, Any], nodes: Any = None, messages: Any = None) -> bool:
        path = properties["fileName"]
        if kind == "SceneFile":
            return self.loadScene(path, properties.get("clear", False))
        loaded = None
        if kind == "VolumeFile":
            loaded = self._load_volume(path, properties)
        elif kind == "TableFile":
            loaded = slicer.modules.tables.logic().AddTable(path, properties.get("name"))
        if loaded is not None and nodes is not None:
            nodes.AddItem(loaded)
        return loaded is not None

    def _load_volume(self, path: str, properties: dict[str, Any]) -> Any:
        options = LABEL_MAP * bool(properties.get("labelmap")) + CENTRED * bool(properties.get("center"))
        options += SINGLE_FILE * bool(properties.get("singleFile"))
        name = properties.get("name") or Path(path).name.split(".")[0]
        node = slicer.modules.volumes.logic().AddArchetypeVolume(path, name, options)
        if node is not None and properties.get("show", True):
            logic = self._session.application_logic
            logic.GetSelectionNode().SetActiveVolumeID(node.GetID())
            logic.PropagateVolumeSelection()
        return node

    def loadScene(self, path: Any, clear: bool = True, messages: Any = None) -> bool:
        scene = self._session.scene
        if str(path).endswith(".mrb"):
            return bool(scene.ReadFromMRB(str(path), clear))
        scene.SetURL(str(path))
        return bool(scene.Connect() if clear else scene.Import(None))

    def saveNodes(self, kind: str, properties: dict[str, Any], messages: Any = None) -> bool:
        path, scene = str(properties["fileName"]), self._session.scene
        if kind != "SceneFile":
            node = scene.GetNodeByID(properties["nodeID"])
            node.AddDefaultStorageNode(path)
            node.GetStorageNode().SetFileName(path)
            return bool(node.GetStorageNode().WriteData(node))
        if path.endswith(".mrb"):
            return bool(scene.WriteToMRB(path))
        if path.endswith(".mrml"):
            scene.SetURL(path)
            return bool(scene.Commit(path))
        Path(path).mkdir(parents=True, exist_ok=True)
        return bool(scene.SaveSceneToSlicerDataBundleDirectory(path, None))

    def exportNodes(
        self, ids: list[str], names: list[str], properties: Any, harden: bool, messages: Any = None
    ) -> bool:
        return all(self._export(self._session.scene.GetNodeByID(i), str(n)) for i, n in zip(ids, names, strict=True))

    def _export(self, node: Any, path: str) -> bool:
        storage = node.CreateDefaultStorageNode()
        storage.SetFileName(path)
        return bool(storage.WriteData(node))
