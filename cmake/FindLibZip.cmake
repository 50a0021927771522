# libzip; its own CMake file in Debian asks for tools that are not installed with it. Defines LibZip::zip.
find_library(LIBZIP_LIBRARY zip)
find_path(LIBZIP_INCLUDE zip.h)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibZip REQUIRED_VARS LIBZIP_LIBRARY LIBZIP_INCLUDE)
if(LibZip_FOUND AND NOT TARGET LibZip::zip)
  add_library(LibZip::zip UNKNOWN IMPORTED)
  set_target_properties(LibZip::zip PROPERTIES IMPORTED_LOCATION "${LIBZIP_LIBRARY}")
endif()
