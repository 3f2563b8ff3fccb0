"""The kernel is what every other floor stands on; it knows no business."""
