// The pages as they were bundled: part of the program, so that it runs from anywhere. Made by bundle.cmake from the
// TypeScript beside this; empty in a build without SIEGEL_PAGES.
#pragma once

#include <span>
#include <string_view>

namespace siegel::pages {

struct Asset {
  std::string_view name;  // "app-3f9c12ab54de.js": holds a hash of the content, so it never changes
  std::string_view content_type;
  std::string_view content;
};

struct Assets {
  std::string_view shell;  // the document of every page; its <html lang="de"> begins at lang
  std::span<const Asset> files;
};

Assets assets() noexcept;

}  // namespace siegel::pages
