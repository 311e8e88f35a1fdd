"""What scanners do to an image, and how to tell: forward models, recognition, agreement with the scan."""
