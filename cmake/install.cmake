# What `cmake --install` leaves: the program, the library with its public headers, and the package files with
# which a stranger finds them. Component `embed` is the library alone.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(TROUPE_PACKAGE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/troupe")

install(TARGETS troupe EXPORT troupe COMPONENT embed
        ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
        FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(EXPORT troupe NAMESPACE troupe:: FILE troupeTargets.cmake DESTINATION "${TROUPE_PACKAGE_DIR}" COMPONENT embed)
install(TARGETS troupe_cli RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT program)

configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/troupeConfig.cmake.in"
  "${CMAKE_BINARY_DIR}/generated/troupeConfig.cmake" INSTALL_DESTINATION "${TROUPE_PACKAGE_DIR}")
write_basic_package_version_file("${CMAKE_BINARY_DIR}/generated/troupeConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES
  "${CMAKE_BINARY_DIR}/generated/troupeConfig.cmake"
  "${CMAKE_BINARY_DIR}/generated/troupeConfigVersion.cmake"
  "${CMAKE_CURRENT_LIST_DIR}/FindCAF.cmake"
  "${CMAKE_CURRENT_LIST_DIR}/FindZeroMQ.cmake"
  "${CMAKE_CURRENT_LIST_DIR}/FindLibZip.cmake"
  "${CMAKE_CURRENT_LIST_DIR}/FindPrometheusCore.cmake"
  "${CMAKE_CURRENT_LIST_DIR}/FindNghttp2.cmake"
  DESTINATION "${TROUPE_PACKAGE_DIR}" COMPONENT embed)
