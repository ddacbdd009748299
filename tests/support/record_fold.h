// For tests of what record events do to the read models: the folds that they meet, one record of one person in two
// classes, and what may happen to it.
#pragma once

#include "history/history.h"
#include "imports/imports.h"
#include "records/records.h"
#include "subjects/subjects.h"
#include "support/catch.h"
#include "support/fold_kit.h"

namespace siegel::test {

using views::Rows;
using Fact = RecordBody::Fact;

inline constexpr TypeNo kType{5};
inline constexpr ClassNo kName{64};
inline constexpr ClassNo kBank{65};
inline constexpr Slot kNameSlot{100};
inline constexpr Slot kBankSlot{200};

struct Fold {
  MapRows rows;
  views::History history;
  views::Records records;
  views::Subjects subjects;
  views::Imports imports;
  MemoryStore store{static_cast<std::size_t>(Rows::count_)};
  views::Views queries{store};

  void operator()(HandEvent& event) {
    for (views::Projection* projection :
         std::initializer_list<views::Projection*>{&history, &records, &subjects, &imports})
      REQUIRE(projection->fold(event, rows));
  }
  views::Views& shown() {
    Batch batch;
    for (unsigned i = 0; i < static_cast<unsigned>(Rows::count_); ++i) {
      const auto family = views::family(static_cast<Rows>(i));
      for (auto cursor = store.cursor(family); cursor->seek_to_first(), cursor->valid();) {
        batch.clear();
        batch.erase(family, cursor->key());
        REQUIRE(store.write(batch, Sync::no));
        cursor = store.cursor(family);
      }
    }
    rows.copy_to(store);
    return queries;
  }
  std::string text(const views::RecordRow& row, const RecordId& id) {
    std::string out;
    for (const auto& section : row.sections) {
      const auto opened =
          rows.unseal(section.slot, section.cls, "records", views::record_row_key(kType, id), section.sealed);
      REQUIRE(opened);
      const auto* clear = std::get_if<SecretBytes>(&*opened);
      out += std::to_string(section.cls.get()) + "{";
      out += clear == nullptr ? "erased" : text_of(codec::decode_values(clear->view()).value());
      out += "}";
    }
    return out;
  }
};

inline HandEvent added(Fold& fold, std::uint64_t seq, std::uint8_t id = 1, std::uint8_t person = 1) {
  HandEvent event(EventType::record_added, seq, fold.rows);
  event.type(kType);
  event.part(owner_of(subject(person)), kName, kNameSlot, 0,
             record_body(Fact::added, record(id), values({{1, "Anna"}, {2, "Ulm"}})));
  event.part(owner_of(subject(person)), kBank, kBankSlot, 0,
             record_body(Fact::added, record(id), values({{7, "DE02"}})));
  return event;
}
inline HandEvent changed(Fold& fold, std::uint64_t seq, Slot slot = kNameSlot, ClassNo cls = kName) {
  HandEvent event(EventType::record_changed, seq, fold.rows);
  event.type(kType);
  event.part(owner_of(subject(1)), cls, slot, 1,
             record_body(Fact::changed, record(1), values({{2, "Bonn"}, {3, "x"}})));
  return event;
}
inline HandEvent requested(Fold& fold, std::uint64_t seq, std::vector<std::uint32_t> classes) {
  HandEvent event(EventType::erasure_requested, seq, fold.rows);
  ErasureNotice notice;
  notice.erasure = erasure(1);
  notice.records = {record(1)};
  event.facts(ErasureRequestedFacts{1, 99, 1, std::move(classes)});
  event.part(owner_of(subject(1)), built_in::erasure_notice, Slot(900), 0, codec::encode(notice));
  return event;
}

}  // namespace siegel::test
