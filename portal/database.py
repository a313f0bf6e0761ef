"""Speaking of database errors without their message: PostgreSQL's prints the row's values."""


def name_of(error: BaseException) -> str:
    """The error's class and, where the database says it, the constraint that was broken. Never a value."""
    told = (getattr(getattr(one, "diag", None), "constraint_name", None) for one in (error, error.__cause__))
    constraint = next(filter(None, told), None)
    return f"{type(error).__name__} of {constraint}" if constraint else type(error).__name__
