# SPDX-License-Identifier: BSD-2-Clause
# What find_package() does with a version file: cmake -DPACKAGE_FIND_VERSION=X.Y -P version.cmake FILE
set(CMAKE_SIZEOF_VOID_P 8)
include("${CMAKE_ARGV4}")
message(STATUS "compatible: ${PACKAGE_VERSION_COMPATIBLE}")
