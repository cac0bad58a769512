"""What must be kept, and what may go: holds, and policies that prune."""
