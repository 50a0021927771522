# Debian's libcaf-dev ships no CMake package. Defines CAF::core.
# CAF_CORE and CAF_INCLUDE may be set to use an instrumented build (sanitizers).
find_library(CAF_CORE caf_core)
find_path(CAF_INCLUDE caf/config.hpp)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CAF REQUIRED_VARS CAF_CORE CAF_INCLUDE)
if(CAF_FOUND AND NOT TARGET CAF::core)
  add_library(CAF::core UNKNOWN IMPORTED)
  set_target_properties(CAF::core PROPERTIES IMPORTED_LOCATION "${CAF_CORE}"
                        INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${CAF_INCLUDE}")
endif()
