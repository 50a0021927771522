# prometheus-cpp's core; its own CMake file in Debian asks for a web server and curl, which only its other parts use.
# Defines PrometheusCore::core.
find_library(PROMETHEUS_CORE_LIBRARY prometheus-cpp-core)
find_path(PROMETHEUS_CORE_INCLUDE prometheus/registry.h)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(PrometheusCore REQUIRED_VARS PROMETHEUS_CORE_LIBRARY PROMETHEUS_CORE_INCLUDE)
if(PrometheusCore_FOUND AND NOT TARGET PrometheusCore::core)
  add_library(PrometheusCore::core UNKNOWN IMPORTED)
  set_target_properties(PrometheusCore::core PROPERTIES IMPORTED_LOCATION "${PROMETHEUS_CORE_LIBRARY}")
endif()
