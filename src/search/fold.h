// What counts as the same when people search. Two texts are compared by their folds:
//   case, width and ligatures   are gone (Unicode's NFKC_Casefold): STRASSE, Straße and ﬁ are strasse, strasse and fi
//   accents                     are gone: é is e, å is a; also where Unicode takes the letter for one: ø o, ł l, æ ae
//   ä ö ü                       stay, and are met by both ways to do without them: ä meets a and ae, and they meet ä.
//                               Each place of a text by itself; a and ae do not meet: Baur is not Bauer
//   white space                 a run of it is one space, none at either end
//   phone numbers               digits and the plus in front (00 is +); everything else between them is gone
// So "müller", "Mueller" and "MULLER" find Müller; "Muller" does not find Mueller. Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "model/field.h"
#include "search/wiping.h"

namespace siegel::search {

enum class Op : std::uint8_t { exact, prefix, word };  // word: from the beginning of one of its words on

Key fold(FieldType type, std::string_view text);  // UTF-8; empty: nothing to search by

// What a fold is from each of its later words on: "lena gross" and "gross" of "anna-lena gross"; parts of what was
// given. A word begins with a letter or digit behind anything else. No more than seven: a text of many words is not
// what people search by a word in.
std::vector<std::string_view> later_words(std::string_view fold);

// Whether a search by word meets any word of such a value; else it meets the beginning only.
bool has_words(FieldType type);

// Whether a fold that somebody looks for meets that of a value, which has words or not: the definition, which the index
// must keep to.
bool meets(std::string_view wanted, Op op, std::string_view key, bool words = false);

// Where a wanted fold leaves a choice. The letters that may stand in the key for what begins at `at`.
struct Choice {
  std::string_view key;    // stands in the key
  std::size_t wanted = 0;  // for so many bytes of the wanted fold
};
struct Choices {
  Choice list[3];
  std::size_t count = 0;
};
Choices choices_at(std::string_view wanted, std::size_t at);

}  // namespace siegel::search
