"""Interpreted base classes of aggregates: the themes and tests extend them, which compiled classes do not allow."""
