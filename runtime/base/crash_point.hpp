// Places where a test may have the process killed, as if by kill -9 (RUNTIME 4, item 2).
#pragma once

namespace troupe {

/// Does nothing, unless the environment says CRASHPOINT=NAME:N when the process begins: then the N-th passage
/// (from 1) of the place of that name kills the process. Thread-safe.
void crash_point(const char* name);

}  // namespace troupe
