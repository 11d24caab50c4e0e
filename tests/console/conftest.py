"""Studies of two teams, for whoever tests what one may see of the other."""

import pytest

from annotation.models import Study
from tests.console.test_admin_pages import fill_every_table


@pytest.fixture
def studies():
    """The team's own study and another team's, each with rows of everything."""
    fill_every_table(2)
    return list(Study.objects.order_by("pk"))
