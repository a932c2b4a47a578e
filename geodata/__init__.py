"""Touches the ground at both ends: dataset folders and official files in, tables and maps out."""
