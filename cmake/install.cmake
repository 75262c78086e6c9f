# What `cmake --install` puts where, and what the shared library exports. What is installed
# finds the rest relative to itself: the tree may be moved, and needs no LD_LIBRARY_PATH.
#
#   LIBDIR/libccl.so            the C API
#   LIBDIR/libccl_mpi_*.so      the MPI module; libccl looks for it beside itself, cclbench in ../lib
#   LIBDIR/libccl_nccl.so        other libraries' APIs on this one; libccl_hccl.so
#   INCLUDEDIR/ccl/             ccl.h, mpi.h
#   INCLUDEDIR/ccl/bindings/     nccl/nccl.h, nccl/cuda_runtime.h; hccl/hccl/hccl.h, hccl/acl/acl.h
#   LIBDIR/cmake/ccl/           find_package(ccl) -> ccl::ccl, ccl::nccl, ccl::hccl
#   LIBDIR/pkgconfig/ccl.pc
#   BINDIR/                     cclbench, and its links all_reduce_perf, ...
#   DOCDIR/LICENSE
#   DATADIR/ccl/fabrics/         the systems that come with it, to copy and edit
option(CCL_INSTALL "Generate the install rules" ${PROJECT_IS_TOP_LEVEL})

# The C API and nothing else, whatever the static libraries inside bring along.
configure_file(cmake/ccl.map.in ${PROJECT_BINARY_DIR}/cmake/ccl.map @ONLY)
target_link_options(ccl PRIVATE -Wl,--exclude-libs,ALL -Wl,--no-undefined
  -Wl,--version-script=${PROJECT_BINARY_DIR}/cmake/ccl.map)
set_property(TARGET ccl APPEND PROPERTY LINK_DEPENDS ${PROJECT_BINARY_DIR}/cmake/ccl.map)

if(NOT CCL_INSTALL)
  return()
endif()
include(CMakePackageConfigHelpers)

install(DIRECTORY fabric/presets/ DESTINATION ${CMAKE_INSTALL_DATADIR}/ccl/fabrics
  FILES_MATCHING PATTERN "*.toml")

set_target_properties(ccl PROPERTIES INSTALL_RPATH "$ORIGIN")
install(TARGETS ccl EXPORT cclTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ccl/ccl.h ccl/mpi.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/ccl)
foreach(binding nccl hccl)
  if(NOT TARGET ccl_${binding})
    continue()
  endif()
  set_target_properties(ccl_${binding} PROPERTIES INSTALL_RPATH "$ORIGIN")
  install(TARGETS ccl_${binding} EXPORT cclTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(DIRECTORY ccl/bindings/${binding}/include/
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/ccl/bindings/${binding} FILES_MATCHING PATTERN "*.h")
endforeach()
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

# An MPI outside the system's directories is found where it was when the module was linked.
if(TARGET ccl_mpi)
  set_target_properties(ccl_mpi PROPERTIES INSTALL_RPATH "$ORIGIN"
    INSTALL_RPATH_USE_LINK_PATH ON)
  install(TARGETS ccl_mpi LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
endif()

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/ccl)
install(EXPORT cclTargets NAMESPACE ccl:: DESTINATION ${package_dir})
configure_package_config_file(cmake/cclConfig.cmake.in ${PROJECT_BINARY_DIR}/cmake/cclConfig.cmake
  INSTALL_DESTINATION ${package_dir} NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/cmake/cclConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/cmake/cclConfig.cmake
              ${PROJECT_BINARY_DIR}/cmake/cclConfigVersion.cmake
  DESTINATION ${package_dir})

file(RELATIVE_PATH prefix_from_pc
  ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" prefix_from_pc "${prefix_from_pc}")
file(RELATIVE_PATH libdir_from_prefix ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_LIBDIR})
file(RELATIVE_PATH includedir_from_prefix
  ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_INCLUDEDIR})
configure_file(cmake/ccl.pc.in ${PROJECT_BINARY_DIR}/cmake/ccl.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/cmake/ccl.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

if(TARGET cclbench)
  file(RELATIVE_PATH libdir_from_bindir ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR})
  set_target_properties(cclbench PROPERTIES INSTALL_RPATH "$ORIGIN/${libdir_from_bindir}")
  install(TARGETS cclbench RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  # The prefix is that of the installation, which may be another than the configured one. The build
  # has made all_reduce_perf and its like beside cclbench.
  install(CODE "
    set(folder \"${CMAKE_INSTALL_BINDIR}\")
    cmake_path(ABSOLUTE_PATH folder BASE_DIRECTORY \"\${CMAKE_INSTALL_PREFIX}\")
    file(GLOB perf_links RELATIVE \"$<TARGET_FILE_DIR:cclbench>\"
      \"$<TARGET_FILE_DIR:cclbench>/*_perf\")
    foreach(name IN LISTS perf_links)
      message(STATUS \"Installing: \$ENV{DESTDIR}\${folder}/\${name}\")
      file(CREATE_LINK cclbench \"\$ENV{DESTDIR}\${folder}/\${name}\" SYMBOLIC)
      list(APPEND CMAKE_INSTALL_MANIFEST_FILES \"\${folder}/\${name}\")
    endforeach()")
endif()
