"""The plugin manager."""

from valechat.notebook.plugins.widget import PluginManager, plugin_manager

__all__ = ["PluginManager", "plugin_manager"]
