// Owner of the shared precompiled header (cmake/mlops.cmake); it needs one translation unit of its own.
