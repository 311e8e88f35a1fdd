# Stands in for a Slicer build tree: find_package(Slicer) ends here when Slicer_DIR names this folder.
# It checks what the extension declares and installs what it lists; nothing is compiled and nothing can run.
set(Slicer_INSTALL_QTSCRIPTEDMODULES_LIB_DIR lib/Slicer-5.12/qt-scripted-modules)
set(Slicer_INSTALL_SHARE_DIR share/Slicer-5.12)
set(Slicer_USE_FILE ${CMAKE_CURRENT_LIST_DIR}/UseSlicer.cmake)
set(Slicer_EXTENSION_GENERATE_CONFIG ${CMAKE_CURRENT_LIST_DIR}/CheckMetadata.cmake)
set(Slicer_EXTENSION_CPACK ${CMAKE_CURRENT_LIST_DIR}/WriteDescription.cmake)
