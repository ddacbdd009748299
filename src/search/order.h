// The order in which people expect values: words as in a dictionary (Unicode's collation, UTS 10, as German has it: ä
// beside a, whatever the case), numbers by size, dates by time. Keys are compared byte by byte.
#pragma once

#include <memory>

#include "model/field.h"
#include "search/wiping.h"

struct UCollator;

namespace siegel::search {

class Order {
 public:
  explicit Order(FieldType type);  // some milliseconds; one thread at a time
  ~Order();
  Order(const Order&) = delete;
  Order& operator=(const Order&) = delete;
  // Of a canonical value; empty: there is none. Of a list its first item counts.
  [[nodiscard]] Key key(const Value& value) const;

 private:
  FieldType type_;
  std::unique_ptr<UCollator, void (*)(UCollator*)> words_;  // null: not of words
};

}  // namespace siegel::search
