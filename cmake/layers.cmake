# One library per layer folder. Which layer may include which is data in tools/layers.txt, checked by the tidy
# test; the link dependencies here follow it.
#
# troupe_layer(NAME FOLDER DEPS layer... LIBS target...)
set(TROUPE_OBJECTS "")
set(TROUPE_LIBS Threads::Threads)
function(troupe_layer name folder)
  cmake_parse_arguments(ARG "" "" "DEPS;LIBS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/${folder}/*.cpp")
  if(NOT sources)
    return()
  endif()
  add_library(troupe_${name}_objects OBJECT ${sources})
  target_include_directories(troupe_${name}_objects PUBLIC
    "$<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}>" "$<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include>")
  set_target_properties(troupe_${name}_objects PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_link_libraries(troupe_${name}_objects PUBLIC fmt::fmt nlohmann_json::nlohmann_json ${ARG_LIBS})
  add_library(troupe_${name} STATIC $<TARGET_OBJECTS:troupe_${name}_objects>)
  target_include_directories(troupe_${name} PUBLIC "${CMAKE_SOURCE_DIR}" "${CMAKE_SOURCE_DIR}/include")
  list(TRANSFORM ARG_DEPS PREPEND troupe_)
  # A layer without sources yet is headers only: nothing to link.
  foreach(dep ${ARG_DEPS})
    if(NOT TARGET ${dep})
      list(REMOVE_ITEM ARG_DEPS ${dep})
    endif()
  endforeach()
  target_link_libraries(troupe_${name} PUBLIC ${ARG_DEPS} fmt::fmt nlohmann_json::nlohmann_json Threads::Threads ${ARG_LIBS})
  set(TROUPE_OBJECTS ${TROUPE_OBJECTS} $<TARGET_OBJECTS:troupe_${name}_objects> PARENT_SCOPE)
  set(TROUPE_LIBS ${TROUPE_LIBS} fmt::fmt ${ARG_LIBS} PARENT_SCOPE)
endfunction()

troupe_layer(base runtime/base LIBS spdlog::spdlog)
troupe_layer(json runtime/json DEPS base)
troupe_layer(protocol runtime/protocol DEPS base)
troupe_layer(policy runtime/policy DEPS base)
troupe_layer(config runtime/config DEPS base json policy LIBS yaml-cpp)
# The demo's configuration travels inside the program, so that `troupe run` needs no file.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/configs/demo.yaml")
file(READ "${CMAKE_SOURCE_DIR}/configs/demo.yaml" demo_yaml)
file(GENERATE OUTPUT "${CMAKE_BINARY_DIR}/generated/demo_text.cpp" CONTENT
"// Made from configs/demo.yaml.
#include \"runtime/config/config.hpp\"
std::string_view troupe::config::demo_config_text() {
  return R\"demo(${demo_yaml})demo\";
}
")
target_sources(troupe_config_objects PRIVATE "${CMAKE_BINARY_DIR}/generated/demo_text.cpp")
troupe_layer(telemetry runtime/telemetry DEPS base LIBS PrometheusCore::core)
troupe_layer(journal runtime/journal DEPS base telemetry LIBS SQLite::SQLite3 PostgreSQL::PostgreSQL)
troupe_layer(transport runtime/transport DEPS base protocol LIBS ZeroMQ::zmq)
troupe_layer(http runtime/http DEPS base LIBS OpenSSL::SSL OpenSSL::Crypto Nghttp2::nghttp2)
troupe_layer(tools runtime/tools DEPS journal http json base)
troupe_layer(providers providers DEPS base json http config policy LIBS OpenSSL::Crypto ZLIB::ZLIB)
troupe_layer(replay replay DEPS base json policy config)
troupe_layer(agents agents DEPS config base json LIBS LibZip::zip)
troupe_layer(actors actors DEPS agents providers tools http transport journal telemetry config policy protocol json base LIBS CAF::core)

# The whole as one library: what is installed and what embedders link.
list(REMOVE_DUPLICATES TROUPE_LIBS)
if(TROUPE_OBJECTS)
  add_library(troupe STATIC ${TROUPE_OBJECTS})
  add_library(troupe::troupe ALIAS troupe)
  target_compile_features(troupe PUBLIC cxx_std_23)
  target_link_libraries(troupe PRIVATE ${TROUPE_LIBS})
  file(GLOB public_headers CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/include/troupe/*.hpp")
  target_sources(troupe PUBLIC FILE_SET HEADERS BASE_DIRS "${CMAKE_SOURCE_DIR}/include" FILES ${public_headers})
  set_target_properties(troupe PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
endif()
