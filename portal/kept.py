"""Rows that stay: what happened is not undone by deleting its traces."""

from typing import NoReturn

from django.db import models


class KeptQuerySet[M: models.Model](models.QuerySet[M]):
    """A queryset that refuses `delete()`, so that neither code nor the admin removes such rows in bulk."""

    def delete(self) -> NoReturn:
        raise TypeError(f"rows of {self.model.__name__} stay: they end, they are never deleted")
