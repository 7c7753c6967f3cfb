"""Audio analysis: decode a recording once, in a sandboxed process, and measure the samples."""
