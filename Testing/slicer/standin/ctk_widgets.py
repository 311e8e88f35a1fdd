"""CTK's widgets that the panel uses, with the properties, slots and signals that PythonQt shows of the real ones.

Followed: commontk/CTK, Libs/Widgets/ctkComboBox.h, ctkCheckableComboBox.{h,cpp}, ctkCollapsibleButton.{h,cpp},
ctkSliderWidget.h, ctkMessageBox.h. Setters that are no slots there (setCollapsed, setMinimum ...) are not here either.
"""

from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets

from . import pythonqt

pythonqt.install()

Qt = QtCore.Qt


@pythonqt.cpp
class ctkComboBox(QtWidgets.QComboBox):
    """A combo box that shows a default text while nothing is chosen."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._default_text, self._forced = "", False

    def _set_default_text(self, text: str) -> None:
        self._default_text = text
        self.update()

    def _set_forced(self, forced: bool) -> None:
        self._forced = forced
        self.update()

    def setCurrentUserDataAsString(self, data: str) -> None:
        self.setCurrentIndex(self.findData(data))

    defaultText = QtCore.Property(str, lambda self: self._default_text, _set_default_text)
    forceDefault = QtCore.Property(bool, lambda self: self._forced, _set_forced)
    currentUserDataAsString = QtCore.Property(str, lambda self: str(self.currentData or ""), setCurrentUserDataAsString)

    def paintEvent(self, _event: Any) -> None:
        text = self._default_text if self._forced or self.currentIndex < 0 else self.currentText
        _paint_combo_box(self, text)


@pythonqt.cpp
class ctkCheckableComboBox(QtWidgets.QComboBox):
    """A combo box with a check mark on every item."""

    checkedIndexesChanged = QtCore.Signal()

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._checked: list[int] = []
        self.model().rowsInserted.connect(self._make_checkable)
        self.model().rowsRemoved.connect(lambda *_: self._note())
        self.model().dataChanged.connect(lambda *_: self._note())

    def checkableModel(self) -> Any:
        return self.model()

    def checkedIndexes(self) -> list[Any]:
        return [index for index in self._indexes() if self.checkState(index) == Qt.CheckState.Checked]

    def allChecked(self) -> bool:
        return len(self.checkedIndexes()) == self.count

    def noneChecked(self) -> bool:
        return all(self.checkState(index) == Qt.CheckState.Unchecked for index in self._indexes())

    def setCheckState(self, index: Any, state: Any) -> None:
        self.model().itemFromIndex(index).setCheckState(Qt.CheckState(state))

    def checkState(self, index: Any) -> Any:
        return self.model().itemFromIndex(index).checkState()

    def _indexes(self) -> list[Any]:
        return [self.model().index(row, 0) for row in range(self.count)]

    def _make_checkable(self, _parent: Any, first: int, last: int) -> None:
        for row in range(first, last + 1):
            self.model().item(row).setCheckable(True)
            self.model().item(row).setCheckState(Qt.CheckState.Unchecked)

    def _note(self) -> None:
        checked = [index.row() for index in self.checkedIndexes()]
        if checked != self._checked:
            self._checked = checked
            self.checkedIndexesChanged.emit()

    def paintEvent(self, _event: Any) -> None:
        texts = [self.itemText(index.row()) for index in self.checkedIndexes()]
        _paint_combo_box(self, "All" if texts and self.allChecked() else ", ".join(texts) or "None")


def _paint_combo_box(box: QtWidgets.QComboBox, text: str) -> None:
    painter = QtWidgets.QStylePainter(box)
    option = QtWidgets.QStyleOptionComboBox()
    box.initStyleOption(option)
    option.currentText = text
    painter.drawComplexControl(QtWidgets.QStyle.ComplexControl.CC_ComboBox, option)
    painter.drawControl(QtWidgets.QStyle.ControlElement.CE_ComboBoxLabel, option)


@pythonqt.cpp
class ctkCollapsibleButton(QtWidgets.QAbstractButton):
    """A heading that shows and hides what lies in it; `checked` is the opposite of `collapsed`."""

    contentsCollapsed = QtCore.Signal(bool)

    def __init__(self, *arguments: Any) -> None:
        """ctkCollapsibleButton(parent=None) or ctkCollapsibleButton(text, parent=None)."""
        text = arguments[0] if arguments and isinstance(arguments[0], str) else ""
        super().__init__(*(argument for argument in arguments if not isinstance(argument, str)))
        self._collapsed, self._forcing = False, False
        self._hidden: set[QtWidgets.QWidget] = set()  # by the user's own setVisible(False)
        self._options: dict[str, Any] = {}
        self.setText(text)
        self.setCheckable(True)
        self.setChecked(True)
        self.setSizePolicy(QtWidgets.QSizePolicy.Policy.Minimum, QtWidgets.QSizePolicy.Policy.Preferred)
        self.setContentsMargins(0, self._heading().height(), 0, 0)
        self.setBackgroundRole(QtGui.QPalette.ColorRole.Window)
        self.toggled.connect(lambda checked: self._collapse(not checked))

    collapsed = QtCore.Property(
        bool, lambda self: self._collapsed, lambda self, value: self.setChecked(not value), notify=contentsCollapsed
    )
    collapsedHeight = QtCore.Property(
        int, lambda self: self._options.get("height", 14), lambda self, value: self._options.update(height=value)
    )
    flat = QtCore.Property(
        bool, lambda self: self._options.get("flat", False), lambda self, value: self._options.update(flat=value)
    )

    def _collapse(self, collapsed: bool) -> None:
        if collapsed == self._collapsed:
            return
        self._collapsed = collapsed
        self._show_children()
        self.setMaximumHeight(self.sizeHint().height() if collapsed else 16777215)
        self.updateGeometry()
        self.contentsCollapsed.emit(collapsed)

    def _show_children(self) -> None:
        self._forcing = True
        for child in self.children():
            if isinstance(child, QtWidgets.QWidget) and not child.isWindow():
                child.setVisible(not self._collapsed and child not in self._hidden)
        self._forcing = False

    def childEvent(self, event: Any) -> None:
        child = event.child()
        if event.added() and isinstance(child, QtWidgets.QWidget):
            child.installEventFilter(self)
        super().childEvent(event)

    def eventFilter(self, child: Any, event: Any) -> bool:
        """Someone else shows or hides a child: remember it, but while collapsed keep it hidden."""
        kind = event.type()
        if not self._forcing and kind == QtCore.QEvent.Type.ShowToParent:
            self._hidden.discard(child)
            if self._collapsed:
                self._show_children()
        elif not self._forcing and kind == QtCore.QEvent.Type.HideToParent:
            self._hidden.add(child)
        return False

    def setVisible(self, visible: bool) -> None:
        self._forcing = True  # Qt tells the children; they were not shown or hidden by themselves
        super().setVisible(visible)
        self._forcing = False
        if visible:
            self._show_children()

    def _heading(self) -> QtCore.QSize:
        option = QtWidgets.QStyleOptionButton()
        option.initFrom(self)
        text = self.fontMetrics().size(Qt.TextFlag.TextShowMnemonic, self.text or "XXXX")
        content = QtCore.QSize(text.width() + 24, text.height())
        return self.style().sizeFromContents(QtWidgets.QStyle.ContentsType.CT_PushButton, option, content, self)

    def sizeHint(self) -> QtCore.QSize:
        size = self._heading()
        if self._collapsed or self.layout() is None:
            return size + QtCore.QSize(0, self._options.get("height", 14))
        return self.layout().totalSizeHint().expandedTo(size)

    def minimumSizeHint(self) -> QtCore.QSize:
        size = self._heading()
        if self._collapsed or self.layout() is None:
            return size
        return self.layout().totalMinimumSize().expandedTo(size)

    def hitButton(self, position: QtCore.QPoint) -> bool:
        return position.y() <= self._heading().height()

    def paintEvent(self, _event: Any) -> None:
        painter = QtWidgets.QStylePainter(self)
        option = QtWidgets.QStyleOptionButton()
        option.initFrom(self)
        option.rect.setHeight(self._heading().height())
        painter.drawPrimitive(QtWidgets.QStyle.PrimitiveElement.PE_PanelButtonCommand, option)
        style, area = QtWidgets.QStyle.PrimitiveElement, option.rect.adjusted(24, 0, 0, 0)
        align = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextShowMnemonic
        painter.drawItemText(area, align, self.palette, self.enabled, self.text, QtGui.QPalette.ColorRole.ButtonText)
        option.rect = QtCore.QRect(8, (option.rect.height() - 10) // 2, 10, 10)
        arrow = style.PE_IndicatorArrowRight if self._collapsed else style.PE_IndicatorArrowDown
        painter.drawPrimitive(arrow, option)


def _of_box(kind: Any, name: str) -> Any:
    """A property that is the spin box's."""

    def put(self: Any, value: Any) -> None:
        QtCore.QObject.setProperty(self._box, name, value)
        self._follow()

    return QtCore.Property(kind, lambda self: QtCore.QObject.property(self._box, name), put)


@pythonqt.cpp
class ctkSliderWidget(QtWidgets.QWidget):
    """A slider and a spin box with one value."""

    valueChanged = QtCore.Signal(float)
    valueIsChanging = QtCore.Signal(float)
    decimalsChanged = QtCore.Signal(int)

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._slider, self._box = QtWidgets.QSlider(Qt.Orientation.Horizontal), QtWidgets.QDoubleSpinBox()
        self._tracking, self._dragging = True, False
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._slider)
        layout.addWidget(self._box)
        self._follow()
        self._box.valueChanged.connect(self._on_box)
        self._slider.valueChanged.connect(lambda place: self._box.setValue(place / self._steps()))
        self._slider.sliderPressed.connect(lambda: self._drag(True))
        self._slider.sliderReleased.connect(lambda: self._drag(False))

    decimals = _of_box(int, "decimals")
    singleStep = _of_box(float, "singleStep")
    minimum = _of_box(float, "minimum")
    maximum = _of_box(float, "maximum")
    value = _of_box(float, "value")
    prefix = _of_box(str, "prefix")
    suffix = _of_box(str, "suffix")
    tracking = QtCore.Property(bool, lambda self: self._tracking, lambda self, value: setattr(self, "_tracking", value))
    spinBoxVisible = QtCore.Property(
        bool, lambda self: not self._box.isHidden(), lambda self, value: self._box.setVisible(value)
    )

    def setValue(self, value: float) -> None:
        self._box.setValue(value)

    def setDecimals(self, decimals: int) -> None:
        self._box.setDecimals(decimals)
        self._follow()
        self.decimalsChanged.emit(decimals)

    def setSpinBoxVisible(self, visible: bool) -> None:
        self._box.setVisible(visible)

    def reset(self) -> None:
        self._box.setValue(0.0)

    def _steps(self) -> int:
        return 10**self._box.decimals

    def _follow(self) -> None:
        """The slider counts in steps of the last decimal."""
        self._slider.blockSignals(True)
        self._slider.setRange(round(self._box.minimum * self._steps()), round(self._box.maximum * self._steps()))
        self._slider.setValue(round(self._box.value * self._steps()))
        self._slider.blockSignals(False)

    def _on_box(self, value: float) -> None:
        self._follow()
        (self.valueIsChanging if self._dragging and not self._tracking else self.valueChanged).emit(value)

    def _drag(self, dragging: bool) -> None:
        self._dragging = dragging
        if not dragging and not self._tracking:
            self.valueChanged.emit(self._box.value)


@pythonqt.cpp
class ctkMessageBox(QtWidgets.QMessageBox):
    """A message box with a "don't show again" box, which is always off here."""

    dontShowAgain = QtCore.Property(bool, lambda self: False, lambda self, value: None)
    dontShowAgainVisible = QtCore.Property(bool, lambda self: False, lambda self, value: None)
    dontShowAgainSettingsKey = QtCore.Property(str, lambda self: "", lambda self, value: None)
