"""Model providers: one small file a wire format, over one HTTP module."""
