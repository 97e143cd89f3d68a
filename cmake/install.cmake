# `cmake --install BUILD --prefix DIR` and, in the build folder, `cpack`: the program, its man pages and completion (which
# it writes itself), the documentation.
include(GNUInstallDirs)
install(TARGETS polecat_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES LICENSE README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(CODE "
set(POLECAT \"$<TARGET_FILE:polecat_program>\")
set(PAGES \"${CMAKE_BINARY_DIR}/install\")
set(MAN_DIR \"${CMAKE_INSTALL_MANDIR}\")
set(DATA_DIR \"${CMAKE_INSTALL_DATADIR}\")
include(\"${PROJECT_SOURCE_DIR}/cmake/install_pages.cmake\")")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME polecat)
set(CPACK_PACKAGE_CONTACT "polecat")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "policy compiler for Kubernetes and Calico")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS nftables)
include(CPack)
