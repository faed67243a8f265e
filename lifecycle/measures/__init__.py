"""The measures: how promises fare and how redress works, in numbers and as a picture. Pure."""
