# Compiler settings of all our code: one interface target, so that third-party targets stay untouched.
if(NOT CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(SIEGEL_CCACHE ccache)
  if(SIEGEL_CCACHE)
    set(CMAKE_C_COMPILER_LAUNCHER ${SIEGEL_CCACHE})
    set(CMAKE_CXX_COMPILER_LAUNCHER ${SIEGEL_CCACHE})
  endif()
endif()

find_package(Threads REQUIRED)

add_library(siegel_flags INTERFACE)
target_compile_options(siegel_flags INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-align
  -Wimplicit-fallthrough -Wextra-semi -fno-omit-frame-pointer -fstack-protector-strong)
target_compile_definitions(siegel_flags INTERFACE $<$<CONFIG:Release,RelWithDebInfo>:_FORTIFY_SOURCE=2>)
target_link_options(siegel_flags INTERFACE -Wl,--as-needed -Wl,-z,relro,-z,now)
target_link_libraries(siegel_flags INTERFACE Threads::Threads)

if(SIEGEL_SANITIZE)
  add_compile_options(-fsanitize=${SIEGEL_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${SIEGEL_SANITIZE})
endif()
# g++ 12 and 14 report what a moved optional or a std::function holds nothing of (its bug 80635), each in other places.
target_compile_options(siegel_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)

if(SIEGEL_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link "$<$<COMPILE_LANGUAGE:CXX>:SHELL:-include ${CMAKE_SOURCE_DIR}/cmake/clang_kj.h>")
endif()
