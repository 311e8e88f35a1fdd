"""SampleData: sources are registered as in Slicer; nothing is downloaded.

Followed: Slicer, Modules/Scripted/SampleData/SampleData.py.
"""

from types import ModuleType
from typing import Any

import slicer

from .qt_module import named_module

samples: dict[str, Any] = {}  # name of a data set: a function that makes its node


def modules() -> dict[str, ModuleType]:
    """The module, by name."""
    logic, source = SampleDataLogic, SampleDataSource
    return {"SampleData": named_module("SampleData", SampleDataLogic=logic, SampleDataSource=source)}


class SampleDataSource:
    """One sample: where it is and what is made of it. All lists must have the same length."""

    def __init__(
        self,
        sampleName: str | None = None,
        sampleDescription: str | None = None,
        uris: Any = None,
        fileNames: Any = None,
        nodeNames: Any = None,
        checksums: Any = None,
        loadFiles: Any = None,
        customDownloader: Any = None,
        thumbnailFileName: str | None = None,
        loadFileTypes: Any = None,
        loadFileProperties: dict[str, Any] | None = None,
    ) -> None:
        self.sampleName = sampleName
        self.sampleDescription = sampleDescription or sampleName
        lists = {"fileNames": fileNames, "nodeNames": nodeNames, "checksums": checksums}
        lists |= {"loadFiles": loadFiles, "loadFileTypes": loadFileTypes}
        one = isinstance(uris, str)
        self.uris = [uris] if one else uris
        for name, value in lists.items():
            value = [value] if one else [None] * len(uris) if value is None and name != "fileNames" else value
            setattr(self, name, value)
        self.customDownloader, self.thumbnailFileName = customDownloader, thumbnailFileName
        self.loadFileProperties = loadFileProperties or {}
        lengths = {len(getattr(self, name)) for name in ("uris", *lists)}
        if len(lengths) > 1:
            raise ValueError(f"lists of different lengths: {lists}")


class SampleDataLogic:
    """Registers sources in slicer.modules.sampleDataSources; makes the nodes of `samples` and custom downloaders."""

    @staticmethod
    def registerCustomSampleDataSource(category: str = "Custom", **source: Any) -> None:
        try:
            known = slicer.modules.sampleDataSources
        except AttributeError:
            known = slicer.modules.sampleDataSources = {}
        found = known.setdefault(category, [])
        made = SampleDataSource(**source)
        if vars(made) not in [vars(source) for source in found]:
            found.append(made)

    @staticmethod
    def sampleDataSourcesByCategory(category: str | None = None) -> Any:
        known = getattr(slicer.modules, "sampleDataSources", {})
        return known if category is None else known.get(category, [])

    def downloadSample(self, name: str) -> Any:
        """A node. Raises RuntimeError for what would have to be downloaded."""
        if name in samples:
            return samples[name]()
        for source in (source for sources in self.sampleDataSourcesByCategory().values() for source in sources):
            if source.sampleName == name and source.customDownloader is not None:
                return source.customDownloader(source)
        raise RuntimeError(f"{name} is not on this computer; set standin.sample_data.samples[{name!r}]")

    def downloadMRHead(self) -> Any:
        return self.downloadSample("MRHead")
