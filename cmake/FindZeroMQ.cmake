# libzmq through pkg-config's names, without its CMake package (Debian ships none). Defines ZeroMQ::zmq.
find_library(ZMQ_LIBRARY zmq)
find_path(ZMQ_INCLUDE zmq.hpp)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(ZeroMQ REQUIRED_VARS ZMQ_LIBRARY ZMQ_INCLUDE)
if(ZeroMQ_FOUND AND NOT TARGET ZeroMQ::zmq)
  add_library(ZeroMQ::zmq UNKNOWN IMPORTED)
  set_target_properties(ZeroMQ::zmq PROPERTIES IMPORTED_LOCATION "${ZMQ_LIBRARY}")
endif()
