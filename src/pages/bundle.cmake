# Bundles the pages and writes them as bytes of a C++ unit: cmake -D PAGES= -D ESBUILD= -D SOURCE= -D WORK= -D OUT= -P
# A file's name holds a hash of its content, so that browsers may keep it for ever.
set(files "")
set(arrays "")
set(shell "")

function(as_bytes text_var out)  # a string literal may hold 64 KiB only
  string(REGEX REPLACE "(..)" "'\\\\x\\1'," bytes "${${text_var}}")
  set(${out} "${bytes}" PARENT_SCOPE)
endfunction()

# add_file(path stem ending content-type): its name comes back in <stem>_name
macro(add_file path stem ending type)
  file(SHA256 ${path} hash)
  string(SUBSTRING ${hash} 0 12 hash)
  set(${stem}_name "${stem}-${hash}.${ending}")
  file(READ ${path} content HEX)
  as_bytes(content content)
  string(APPEND arrays "constexpr char k_${stem}[] = {${content}};\n")
  string(APPEND files "    {\"${${stem}_name}\", \"${type}\", {k_${stem}, sizeof k_${stem}}},\n")
endmacro()

if(PAGES)
  file(REMOVE_RECURSE ${WORK})
  file(MAKE_DIRECTORY ${WORK})
  execute_process(
    COMMAND ${CMAKE_COMMAND} -E env NODE_PATH=${SOURCE}/vendor ${ESBUILD} app/main.ts app/style.css --bundle --minify
            --charset=utf8 --format=esm --target=es2021 --legal-comments=none --log-level=warning --outdir=${WORK}
    WORKING_DIRECTORY ${SOURCE} RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "esbuild could not bundle the pages")
  endif()
  add_file(${WORK}/main.js app js "text/javascript; charset=utf-8")
  add_file(${WORK}/style.css style css "text/css; charset=utf-8")
  add_file(${SOURCE}/icon.svg icon svg "image/svg+xml")
  file(READ ${SOURCE}/shell.html shell)
  foreach(stem IN ITEMS app style icon)
    string(REPLACE "@${stem}@" "/app/assets/${${stem}_name}" shell "${shell}")
  endforeach()
  file(WRITE ${WORK}/shell.html "${shell}")
  file(READ ${WORK}/shell.html shell HEX)
  as_bytes(shell shell)
  string(APPEND arrays "constexpr char k_shell[] = {${shell}};\n")
  string(APPEND arrays "constexpr siegel::pages::Asset kFiles[] = {\n${files}};\n")
  set(answer "{{k_shell, sizeof k_shell}, kFiles}")
else()
  set(answer "{}")
endif()

file(WRITE ${OUT} "// Made by bundle.cmake.\n#include \"pages/assets.h\"\n\nnamespace {\n${arrays}}  // namespace\n\nnamespace siegel::pages {\nAssets assets() noexcept { return ${answer}; }\n}  // namespace siegel::pages\n")
