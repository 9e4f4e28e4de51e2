"""Code search: a question in words to the method that answers it. `task` is where others start."""
