# cmake -D TREE=<sources> -D WORK=<empty folder> -D GENERATOR=<name> -P layers.cmake
# The layer rule stops what it should, and only that: a project of two modules is configured and compiled rightly, with a
# dependency upwards, and with an include that no dependency allows.
file(REMOVE_RECURSE ${WORK})

function(write_project name low_dependency low_include)
  set(dir ${WORK}/${name})
  file(WRITE ${dir}/CMakeLists.txt "cmake_minimum_required(VERSION 3.25)
project(try LANGUAGES CXX)
set(CMAKE_CXX_STANDARD 20)
add_library(siegel_flags INTERFACE)
include(${TREE}/cmake/SiegelModule.cmake)
${low_dependency}
")
  file(WRITE ${dir}/high/CMakeLists.txt "siegel_module(high LAYER 2 SRCS high.cc PUBLIC siegel::low)\n")
  file(WRITE ${dir}/high/high.h "inline int high() { return 2; }\n")
  file(WRITE ${dir}/high/high.cc "#include \"low/low.h\"\n#include \"high/high.h\"\nint both() { return high() + low(); }\n")
  file(WRITE ${dir}/low/low.h "inline int low() { return 1; }\n")
  file(WRITE ${dir}/low/low.cc "${low_include}\n#include \"low/low.h\"\nint one() { return low(); }\n")
endfunction()

# What configuring and building say, in `configured`, `built` and `said`.
macro(try name)
  execute_process(COMMAND ${CMAKE_COMMAND} -G ${GENERATOR} -S ${WORK}/${name} -B ${WORK}/${name}/build
                  RESULT_VARIABLE configured OUTPUT_VARIABLE said ERROR_VARIABLE said)
  set(built 1)
  if(configured EQUAL 0)
    execute_process(COMMAND ${CMAKE_COMMAND} --build ${WORK}/${name}/build
                    RESULT_VARIABLE built OUTPUT_VARIABLE said ERROR_VARIABLE said)
  endif()
endmacro()

write_project(right "add_subdirectory(low)\nadd_subdirectory(high)" "")
file(WRITE ${WORK}/right/low/CMakeLists.txt "siegel_module(low LAYER 1 SRCS low.cc)\n")
try(right)
if(NOT built EQUAL 0)
  message(FATAL_ERROR "A project that keeps the layers does not build:\n${said}")
endif()

# low (layer 1) asks for a module of layer 2.
write_project(upwards "siegel_module(top LAYER 2 SRCS top.cc)\nadd_subdirectory(low)" "")
file(WRITE ${WORK}/upwards/top.cc "int top() { return 3; }\n")
file(WRITE ${WORK}/upwards/low/CMakeLists.txt "siegel_module(low LAYER 1 SRCS low.cc PUBLIC siegel::top)\n")
try(upwards)
if(configured EQUAL 0 OR NOT said MATCHES "low \\(layer 1\\) must not use siegel::top \\(layer 2\\)")
  message(FATAL_ERROR "A dependency upwards was not refused at configure time:\n${said}")
endif()

# low includes a header of high without depending on it.
write_project(sneaky "add_subdirectory(low)\nadd_subdirectory(high)" "#include \"high/high.h\"")
file(WRITE ${WORK}/sneaky/low/CMakeLists.txt "siegel_module(low LAYER 1 SRCS low.cc)\n")
try(sneaky)
if(NOT configured EQUAL 0 OR built EQUAL 0 OR NOT said MATCHES "high/high.h")
  message(FATAL_ERROR "An include upwards was not refused at compile time:\n${said}")
endif()
