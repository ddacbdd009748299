// A data directory made by the program itself, with what a first user registers: a purpose, a deletion class, a record
// type of five searchable fields, an editor.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "bench/client.h"
#include "bench/program.h"
#include "model/ids.h"

namespace siegel::bench {

inline constexpr std::string_view kPurpose = "customer-care";
inline constexpr std::string_view kType = "contacts";

struct Site {
  Program program;
  std::filesystem::path data;
  std::string admin;  // tokens
  std::string editor;
  TokenId editor_id;
  std::unique_ptr<Server> server;  // null: stopped

  static Result<Site> make(const Program& program, const std::filesystem::path& data);  // stopped
  Status start();  // and waits until records may be added
  void stop() { server.reset(); }
};

// A request of the editor for the purpose.
std::string editor_request(const Site& site, std::string_view method, std::string_view path,
                           std::string_view body = {});

// The values of one made-up person, as JSON members. Equal numbers are equal people.
std::string person_values(std::uint64_t number);

}  // namespace siegel::bench
