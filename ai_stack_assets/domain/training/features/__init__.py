"""Features of methods: what each one is (`definitions`), how a row comes about (`compute`), where the rows lie (`store`)."""
