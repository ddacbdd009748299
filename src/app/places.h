// Where things lie (contract section 5): DIR beside DIR.root and DIR.outside, which never ride in one backup with it.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "app/config.h"
#include "base/error.h"
#include "model/ids.h"

namespace siegel::app {

struct Places {
  std::filesystem::path data;
  std::filesystem::path root;  // the root store's file
  std::filesystem::path signer;
  std::filesystem::path head;                       // lock record
  std::vector<std::filesystem::path> key_replicas;  // chosen at init, kept in DIR/PLACES
  std::vector<std::filesystem::path> root_mirrors;
  [[nodiscard]] std::filesystem::path ledger() const { return data / "ledger"; }
  [[nodiscard]] std::filesystem::path keys() const { return data / "keys"; }
  [[nodiscard]] std::filesystem::path views() const { return data / "views"; }
  [[nodiscard]] std::filesystem::path views_name() const { return data / "VIEWS"; }
  [[nodiscard]] std::filesystem::path format() const { return data / "FORMAT"; }
  [[nodiscard]] std::filesystem::path lock() const { return data / "LOCK"; }
  [[nodiscard]] std::filesystem::path lost() const { return data / "LOST"; }  // only after a loss (evidence.h)
  [[nodiscard]] std::filesystem::path places() const { return data / "PLACES"; }
};
// Whether inner is outer or lies below it, links resolved as far as the paths exist.
bool is_within(const std::filesystem::path& inner, const std::filesystem::path& outer);

// Signing key and lock record lie outside the data directory, or a copy of it that is put back would agree with itself.
// invalid "place_inside_data".
Status check_outside(const Places& places);
Places default_places(const std::filesystem::path& data);

// Whether the configuration says nothing else than what init wrote: invalid "config_invalid" if it names other places.
// Without a data directory there is nothing to contradict.
Status check_places(const Config& config, const std::filesystem::path& data);

// PLACES (docs/formats/stores.md): "root PATH", "signer PATH", "head PATH", then "key-replica PATH" and "root-mirror
// PATH" as many as there are, and last how many these are, "members N". People edit it, and a mirror that is passed
// over keeps the root of whoever is erased, so anything else is refused.
bool fits_in_places(std::string_view line);  // no control character, a line break above all
Status write_places(const Places& places);
// not_found "store_missing": run `siegel init`; invalid "places_damaged" with file and line.
Result<Places> read_places(const std::filesystem::path& data);

// FORMAT: "siegel-data 1 <ledger id>". A newer one: denied "format_newer".
Status write_format(const Places& places, const LedgerId& id);
Result<LedgerId> read_format(const Places& places);

}  // namespace siegel::app
