"""What knows MRML and Qt: the Slicer side of SuperResolutionLib. One idea a file, arrows run down.

locations    where SuperResolutionLib and Resources lie
run_engine   what the child process runs (plain Python, no slicer)
process      one run of the library's command line: events, log, end
jobs         long work as a generator that Slicer's event loop drives
nodes        MRML volumes to files and back, with everything that belongs to them
installer    torch and friends, on the user's word
work         pieces of long work: a folder, a run in words, a result imported
colors       two colour tables, and volumes shown in them
difference   what the network adds to interpolation
quality      figures to table, chart and error maps
report       what a report takes, and a fresh folder for it
layouts      Slicer's layouts: ours put up, the user's put back
windows      one window and level for several volumes
labels       the words in a view, there while they are true
reveal       a window around the mouse, in which what lies above is seen
views        two linked views side by side
outlook      what enhancing will do to a volume, and what is unusual about it
batch        several volumes one after the other
logic        enhance, preview, compare, report: what the panel and the console call
parameters   widgets of the panel and the parameter node, kept equal
widget       the panel
"""
