"""DICOM: objects to frames, frames to stacks, stacks to a volume or a series."""
