"""The files of a monthly batch, described as data, inspected byte by byte, never changed."""
