"""Taking a Space in: its recording is heard before anything is stored, and only then handed to the object store."""
