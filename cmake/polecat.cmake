# How every library, program and test of the project is declared.
#   polecat_library(NAME [USES libraries...] [PRIVATE third-party...])  all .cpp below the folder
#   polecat_program(NAME SOURCES ... USES ...)
#   polecat_test(NAME USES ...)                    all .cpp of the folder, one doctest binary
#   polecat_runs_seldom(NAME)                      compiled quickly rather than for speed
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()
find_package(PkgConfig REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_library(MIMALLOC mimalloc)

# Half of what a file costs is reading headers and making templates of them: libraries and programs are compiled 24 files
# at a time, tests twelve. A name in an unnamed namespace is therefore used once in a library or a test binary. Whoever
# edits and compiles the same few files again and again takes less: -DPOLECAT_BATCH=8. Off: each file alone, for tools
# that read compile_commands.json.
option(POLECAT_UNITY "compile several files at a time" ON)
set(POLECAT_BATCH 24 CACHE STRING "how many at most")
math(EXPR POLECAT_TEST_BATCH "(${POLECAT_BATCH} + 1) / 2")
set(CMAKE_UNITY_BUILD ${POLECAT_UNITY})
set(CMAKE_UNITY_BUILD_BATCH_SIZE ${POLECAT_BATCH})

set(POLECAT_SANITIZE "" CACHE STRING "value for -fsanitize=")
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 takes an engaged std::optional for uninitialized, and sees overlapping copies inside
  # std::string (GCC bug 105329).
  add_compile_options(-Wno-maybe-uninitialized -Wno-restrict)
  # In a unity build a type of an unnamed namespace is seen from an included file.
  add_compile_options($<$<BOOL:${POLECAT_UNITY}>:-Wno-subobject-linkage>)
  # Fewer collections of the compiler's own garbage: a twentieth of its time, for some 200 MB more at most.
  add_compile_options(--param=ggc-min-heapsize=600000)
endif()
# A release gives whoever finds a fault in it little to hold on to: its place in memory, its stack and its tables.
add_compile_options($<$<CONFIG:Release>:-fPIE> $<$<CONFIG:Release>:-fstack-protector-strong>
                    $<$<CONFIG:Release>:-D_FORTIFY_SOURCE=2>)
add_link_options($<$<CONFIG:Release>:-pie> $<$<CONFIG:Release>:LINKER:-z,relro,-z,now>)
if(POLECAT_SANITIZE)
  add_compile_options(-fsanitize=${POLECAT_SANITIZE} -fno-omit-frame-pointer)
  # Checks of each use of a pointer are three quarters of the build's time; AddressSanitizer tells of the same faults.
  if(POLECAT_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize=null,alignment,object-size)
  endif()
  add_link_options(-fsanitize=${POLECAT_SANITIZE})
endif()

function(polecat_library name)
  cmake_parse_arguments(ARG "" "" "USES;PRIVATE;EXCLUDE" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  foreach(pattern ${ARG_EXCLUDE})
    list(FILTER sources EXCLUDE REGEX ${pattern})
  endforeach()
  add_library(${name} STATIC ${sources})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${ARG_USES} PRIVATE ${ARG_PRIVATE})
endfunction()

function(polecat_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${ARG_USES})
endfunction()

# What a test costs is compiling it.
function(polecat_runs_seldom name)
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O1>)
endfunction()

function(polecat_test name)
  cmake_parse_arguments(ARG "" "" "USES" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/runner/") # a program of its own
  add_executable(test_${name} ${sources})
  target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR})
  polecat_runs_seldom(test_${name})
  set_target_properties(test_${name} PROPERTIES UNITY_BUILD_BATCH_SIZE ${POLECAT_TEST_BATCH})
  target_link_libraries(test_${name} PRIVATE test_main ${ARG_USES})
  add_test(NAME ${name} COMMAND test_${name})
  set_tests_properties(${name} PROPERTIES ENVIRONMENT
    "LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/sanitizer.supp:print_suppressions=0;TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/thread_sanitizer.supp")
endfunction()
