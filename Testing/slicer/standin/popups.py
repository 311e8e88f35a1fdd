"""Windows that would wait for a user: noted and answered instead.

Followed: Slicer, Base/Python/slicer/util.py (signatures of errorDisplay and its siblings). Real ones only log under
--testing; and confirmOkCancelDisplay and confirmYesNoDisplay then give False, although they mean to give True (they
compare True with the button). Here they always give session.answer.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from PySide6 import QtWidgets

from .patches import Patches

Button = QtWidgets.QMessageBox.StandardButton
YES = (Button.Ok, Button.Yes, Button.Retry, Button.Save, Button.Open, Button.Apply)
NO = (Button.Cancel, Button.No, Button.Close, Button.Abort, Button.Ignore)
DISPLAYS = {"errorDisplay": "error", "warningDisplay": "warning", "infoDisplay": "info"}
QUESTIONS = {"confirmOkCancelDisplay": "okCancel", "confirmYesNoDisplay": "yesNo", "confirmRetryCloseDisplay": "retry"}
STATIC_BOXES = ("information", "warning", "critical", "question")


class Message(NamedTuple):
    """What a window would have said."""

    kind: str
    text: str
    detailedText: str = ""


class Popups:
    """messages: what was said. answer: True, False, or a function of the message. file: what file dialogs give."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.answer: bool | Callable[[Message], bool] = True
        self.file = ""

    def tell(self, kind: str, text: str, detailedText: str | None = None) -> bool:
        """Note a message and give the answer."""
        message = Message(kind, text, detailedText or "")
        self.messages.append(message)
        return bool(self.answer(message) if callable(self.answer) else self.answer)

    def install(self, patches: Patches, util: Any) -> None:
        """Replace slicer.util's functions and Qt's own boxes."""
        for name, kind in DISPLAYS.items():
            patches.set(util, name, self._display(kind))
        for name, kind in QUESTIONS.items():
            patches.set(util, name, self._question(kind))
        patches.set(util, "messageBox", self._message_box)
        patches.set(util, "delayDisplay", lambda message, *_, **__: self.tell("delay", message) and None)
        self._replace_boxes(patches)
        self._replace_file_dialogs(patches)

    def _display(self, kind: str) -> Callable[..., None]:
        def display(
            text: str, windowTitle: str | None = None, parent: Any = None, standardButtons: Any = None, **more: Any
        ) -> None:
            self.tell(kind, text, more.get("detailedText"))

        return display

    def _question(self, kind: str) -> Callable[..., bool]:
        def question(text: str, windowTitle: str | None = None, parent: Any = None, **more: Any) -> bool:
            return self.tell(kind, text, more.get("detailedText"))

        return question

    def _message_box(self, text: str, parent: Any = None, **more: Any) -> Any:
        return choose(more.get("standardButtons", Button.Ok), self.tell("messageBox", text, more.get("detailedText")))

    def _replace_boxes(self, patches: Patches) -> None:
        def run(box: Any) -> Any:
            return choose(box.standardButtons, self.tell("QMessageBox", box.text, box.detailedText))

        def static(name: str) -> Any:
            def show(parent: Any, title: str, text: str, buttons: Any = Button.Ok, *_: Any) -> Any:
                return choose(buttons, self.tell(f"QMessageBox.{name}", text))

            return staticmethod(show)

        for name in ("exec", "exec_"):
            patches.set(QtWidgets.QMessageBox, name, run)
        for name in STATIC_BOXES:
            patches.set(QtWidgets.QMessageBox, name, static(name))

    def _replace_file_dialogs(self, patches: Patches) -> None:
        """PythonQt gives the path alone, PySide6 gives the filter too."""

        def static(name: str) -> Any:
            def ask(parent: Any = None, caption: str = "", *_: Any) -> Any:
                agreed = self.tell(f"QFileDialog.{name}", caption) and self.file
                return ([self.file] if agreed else []) if name == "getOpenFileNames" else self.file if agreed else ""

            return staticmethod(ask)

        for name in ("getOpenFileName", "getOpenFileNames", "getSaveFileName", "getExistingDirectory"):
            patches.set(QtWidgets.QFileDialog, name, static(name))


def choose(buttons: Any, agreed: bool) -> Any:
    """The button that a user who agrees, or does not, would press."""
    wanted = YES if agreed else NO
    return next((button for button in wanted if button & Button(buttons)), wanted[0])
