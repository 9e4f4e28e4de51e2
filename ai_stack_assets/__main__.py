"""`python -m ai_stack_assets`. Nothing here: step processes import this module again."""

if __name__ == "__main__":
    from ai_stack_assets.cli.main import main

    raise SystemExit(main())
