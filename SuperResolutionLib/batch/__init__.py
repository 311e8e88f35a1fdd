"""Many scans: what is done to each, where they are found, and how they run on one machine or a cluster."""
