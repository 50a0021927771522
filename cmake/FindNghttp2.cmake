# nghttp2; Debian ships it without a CMake package. Defines Nghttp2::nghttp2.
find_library(NGHTTP2_LIBRARY nghttp2)
find_path(NGHTTP2_INCLUDE nghttp2/nghttp2.h)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Nghttp2 REQUIRED_VARS NGHTTP2_LIBRARY NGHTTP2_INCLUDE)
if(Nghttp2_FOUND AND NOT TARGET Nghttp2::nghttp2)
  add_library(Nghttp2::nghttp2 UNKNOWN IMPORTED)
  set_target_properties(Nghttp2::nghttp2 PROPERTIES IMPORTED_LOCATION "${NGHTTP2_LIBRARY}")
endif()
