"""The spend dashboard."""

from valechat.notebook.spend.dashboard import SpendDashboard, spend

__all__ = ["SpendDashboard", "spend"]
