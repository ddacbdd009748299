// sheet_rows FILE [OPTIONS]: what the reader makes of the file, as one line of JSON. For tests in Python.
#include <fstream>
#include <iostream>
#include <iterator>

#include "support/sheet_json.h"

int main(int count, char** arguments) {
  if (count < 2) return 2;
  std::ifstream in(arguments[1], std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const auto options = count > 2 ? nlohmann::json::parse(arguments[2]) : nlohmann::json::object();
  std::cout << siegel::test::table_as_json(siegel::as_bytes(bytes), siegel::test::table_options(options)) << '\n';
}
