#include "verify/verify.h"

#include <algorithm>
#include <limits>

#include "codec/header_codec.h"
#include "codec/parts.h"
#include "proof/checkpoint.h"

namespace siegel::verify {
namespace {

constexpr std::uint64_t kProgressEvery = 65'536;

struct Mark {  // a size at which somebody said what the root is
  std::string name;
  Checkpoint head;
  enum class From : std::uint8_t { copy, elsewhere, claim } from = From::copy;
  bool reached = false;
  bool holds = false;       // our root is this one
  bool tiles_hold = false;  // the root over the stored leaf hashes is
};

class Walk {
 public:
  Walk(Source& source, const Options& options, Report& report, std::vector<Mark> marks)
      : source_(source), options_(options), report_(report), marks_(std::move(marks)) {
    std::ranges::stable_sort(marks_, {}, [](const Mark& mark) { return mark.head.size; });
    limit_ = marks_.empty() ? 0 : marks_.back().head.size;
  }

  void run() {
    reach();
    skip_to_from();
    StoredEvent event;
    for (;;) {
      auto more = source_.next(event);
      if (!more) {
        add(Cause::unreadable, next_, next_ + 1, more.error().text());
        broken_at(next_);
        cut_short_ = true;
        break;
      }
      if (!*more) break;
      take(event);
      if (++report_.checked % kProgressEvery == 0 && options_.progress) options_.progress(report_.checked);
    }
    report_.size = next_;
    judge();
  }

 private:
  struct Gap {
    std::uint64_t first = 0;
    std::uint64_t end = 0;
    std::size_t finding = 0;
  };

  void add(Cause cause, std::uint64_t index, std::uint64_t until, std::string detail) {
    if (report_.findings.size() >= kFindingsMax) {
      ++report_.findings_more;
      return;
    }
    report_.findings.push_back({cause, index, until, std::move(detail)});
  }
  // From here on the root over what we read cannot be the signed one: no news when it is not.
  void broken_at(std::uint64_t index) { broken_ = std::min(broken_, index); }

  void skip_to_from() {
    for (; next_ < options_.from; ++next_) {
      const Hash* leaf = source_.leaf(next_);
      if (leaf == nullptr) {
        add(Cause::missing, next_, options_.from, "The stored hashes before the first event to check are missing.");
        lose(next_);
        next_ = options_.from;
        return;
      }
      append(*leaf, leaf);
    }
  }

  void lose(std::uint64_t index) {
    lost_ = true;
    broken_at(index);
  }

  void append(const Hash& leaf, const Hash* stored) {
    if (lost_) return;
    const bool differs = stored != nullptr && *stored != leaf;
    if (differs && !tiles_) tiles_ = ours_;
    ours_.append(leaf);
    if (tiles_) tiles_->append(differs ? *stored : leaf);
    if (mark_ < marks_.size() && marks_[mark_].head.size == ours_.size()) reach();
  }

  void reach() {
    for (; mark_ < marks_.size() && marks_[mark_].head.size == ours_.size(); ++mark_) {
      auto& mark = marks_[mark_];
      mark.reached = true;
      mark.holds = ours_.root() == mark.head.root;
      mark.tiles_hold = tiles_ && tiles_->root() == mark.head.root;
    }
  }

  void take(const StoredEvent& event) {
    const Hash leaf = leaf_hash(event.header);
    const auto header = codec::decode_header(event.header);
    if (header && header->seq.get() != next_ && !arrives(header->seq.get(), leaf)) {
      check_parts(*header, event.parts, header->seq.get());
      return;
    }
    const Hash* stored = source_.leaf(next_);
    const bool changed = !header || header->seq.get() != next_ || (stored != nullptr && *stored != leaf);
    if (!header) {
      add(Cause::entry_changed, next_, next_ + 1, "The header is not one that was ever written.");
    } else if (changed) {
      add(Cause::entry_changed, next_, next_ + 1, "The header is not the one that the stored hash is of.");
    }
    if (changed) broken_at(next_);
    append(leaf, stored);
    if (header && !changed) {
      check_order(*header);
      check_parts(*header, event.parts, next_);
      count(*header);
    }
    ++next_;
  }

  // An event with another sequence than the next: is it another event (then it is no longer next), or this one changed?
  // True: treat it as the event at next_.
  bool arrives(std::uint64_t seq, const Hash& leaf) {
    const Hash* of_seq = source_.leaf(seq);
    const bool genuine = of_seq != nullptr && *of_seq == leaf;
    if (!genuine && (of_seq != nullptr || source_.leaf(next_) != nullptr)) return true;
    if (seq > next_) {
      if (!genuine && seq >= limit_) return true;
      gap(seq);
      return true;
    }
    const auto found = std::ranges::find_if(gaps_, [seq](const Gap& g) { return g.first <= seq && seq < g.end; });
    if (found == gaps_.end()) {
      add(Cause::order, next_, next_ + 1, "Event " + std::to_string(seq) + " stands here, out of its place.");
    } else if (found->finding < report_.findings.size()) {  // not lost, only late
      auto& finding = report_.findings[found->finding];
      finding.cause = Cause::order;
      finding.detail = "Events stand in another order than their sequence says.";
    }
    broken_at(std::min(seq, next_));
    return false;
  }

  void gap(std::uint64_t seq) {
    gaps_.push_back({next_, seq, report_.findings.size()});
    add(Cause::missing, next_, seq, std::to_string(seq - next_) + " events are missing.");
    broken_at(next_);
    for (; next_ < seq; ++next_) {
      const Hash* stored = source_.leaf(next_);
      if (stored == nullptr) {
        lose(next_);
        next_ = seq;
        return;
      }
      append(*stored, stored);
    }
  }

  void check_order(const Header& header) {
    if (header.time < time_) add(Cause::order, next_, next_ + 1, "The time is before that of an earlier event.");
    if (header.keys_mark < keys_mark_) {
      add(Cause::order, next_, next_ + 1, "The key batch is before that of an earlier event.");
    }
    time_ = std::max(time_, header.time);
    keys_mark_ = std::max(keys_mark_, header.keys_mark);
  }

  void check_parts(const Header& header, const std::optional<ByteView>& record, std::uint64_t index) {
    if (!record) {
      add(Cause::missing, index, index + 1, "The parts are missing, and no event says that they were removed.");
      return;
    }
    const auto parts = codec::decode_parts(*record);
    if (!parts) {
      add(Cause::payload, index, index + 1, "The parts are damaged.");
      return;
    }
    report_.parts += parts->size();
    if (!codec::check_parts(header, *parts)) {
      add(Cause::payload, index, index + 1, "The parts are not those that the header commits to.");
    }
    if (std::ranges::any_of(*parts, &StoredPart::removed)) {
      add(Cause::missing, index, index + 1, "A part is removed, and no event says so.");
    }
  }

  void count(const Header& header) {
    if (!is_known(header.type)) ++report_.unknown_types;
    if (const auto* erased = std::get_if<ErasureEffectiveFacts>(&header.facts)) {
      report_.keys_destroyed += erased->leaves;
    }
  }

  // ── what the heads say ───────────────────────────────────────────────────────────────────────────────────────────

  void judge() {
    for (const auto& mark : marks_) {
      if (!mark.holds || mark.from == Mark::From::claim) continue;
      ++report_.checkpoints;
      report_.signed_size = std::max(report_.signed_size, mark.head.size);
      own_holds_ = own_holds_ || mark.from == Mark::From::copy;
    }
    blame_tiles();
    for (const auto& mark : marks_) {
      if (mark.holds) continue;
      if (mark.head.size > next_) {
        judge_short(mark);
      } else {
        judge_other(mark);
      }
    }
    if (report_.size > 0 && std::ranges::none_of(marks_, [](const Mark& m) { return m.from != Mark::From::claim; })) {
      add(Cause::signature, 0, report_.size, "There is no checkpoint that the key signed.");
    }
    std::ranges::stable_sort(report_.findings, [](const Finding& a, const Finding& b) {
      return a.index != b.index ? a.index < b.index : a.cause < b.cause;
    });
  }

  // Where the events' root is the signed one, a stored hash that differs is what is wrong.
  void blame_tiles() {
    for (auto& finding : report_.findings) {
      if (finding.cause == Cause::entry_changed && finding.index < report_.signed_size) {
        finding.detail = "A stored hash of the tree is wrong; the event itself is as it was signed.";
      }
    }
  }

  void judge_short(const Mark& mark) {
    if (cut_short_ || truncated_) return;  // said already
    truncated_ = true;
    const auto sizes = ": " + mark.name + " is of size " + std::to_string(mark.head.size) + ", the events end at " +
                       std::to_string(next_) + ".";
    if (mark.from == Mark::From::elsewhere && own_holds_ && !options_.cut_off) {
      add(Cause::roll_back, next_, mark.head.size, "Roll-back to an older state" + sizes);
    } else {
      add(Cause::missing, next_, mark.head.size, "Truncated" + sizes);
    }
  }

  void judge_other(const Mark& mark) {
    const auto size = mark.head.size;
    const bool excluded = mark.from != Mark::From::claim && std::ranges::any_of(marks_, [&](const Mark& other) {
                            if (other.from == Mark::From::claim) return false;
                            return (other.head.size == size && other.head.root != mark.head.root) ||
                                   (other.holds && other.head.size > size);
                          });
    if (!excluded && (broken_ < size || mark.tiles_hold)) return;  // the events that are wrong are named
    std::uint64_t good = options_.from;
    for (const auto& other : marks_) {
      if (other.holds && other.head.size < size) good = std::max(good, other.head.size);
    }
    if (excluded) {
      add(Cause::fork, std::min(good, size), size,
          "Fork: " + mark.name + " (size " + std::to_string(size) + ", root " + to_base64(mark.head.root) +
              ") is of another history than other signed checkpoints.");
    } else if (!changed_told_) {
      changed_told_ = true;
      add(Cause::entry_changed, std::min(good, size), size,
          "A header in this range is not what was written: its root is not that of " + mark.name + ".");
    }
  }

  Source& source_;
  const Options& options_;
  Report& report_;
  std::vector<Mark> marks_;  // by size
  std::size_t mark_ = 0;     // the next to reach
  std::uint64_t limit_ = 0;  // the largest size that somebody speaks of
  CompactRange ours_;
  std::optional<CompactRange> tiles_;  // over the stored leaf hashes, from the first that differs
  std::uint64_t next_ = 0;             // sequence of the next event
  bool lost_ = false;                  // a leaf is unknown: no roots any more
  std::uint64_t broken_ = std::numeric_limits<std::uint64_t>::max();
  std::vector<Gap> gaps_;
  TimeMs time_{};
  KeysMark keys_mark_{};
  bool cut_short_ = false;
  bool own_holds_ = false;
  bool truncated_ = false;
  bool changed_told_ = false;
};

// The heads that the key signed; findings for the others.
std::vector<Mark> open_heads(const Options& options, const VerifierKey& key, Report& report) {
  std::vector<Mark> marks;
  for (const auto& given : options.checkpoints) {
    auto opened = open_checkpoint(given.note, key);
    if (opened) {
      marks.push_back({given.name, std::move(opened->checkpoint),
                       given.kept == SignedHead::Kept::elsewhere ? Mark::From::elsewhere : Mark::From::copy});
      continue;
    }
    const auto& error = opened.error();
    const bool malformed = error.is("note_malformed") || error.is("checkpoint_malformed");
    report.findings.push_back({malformed ? Cause::unreadable : Cause::signature, 0, 0,
                               given.name + " does not hold under the key: " + error.code() + "."});
  }
  if (options.claim)
    marks.push_back({"the head row", {key.name, options.claim->size, options.claim->root}, Mark::From::claim});
  return marks;
}

}  // namespace

Result<Report> verify(Source& source, const Options& options, Clock& clock) {
  SIEGEL_TRY(key, parse_verifier_key(options.verifier_key));
  Report report;
  report.origin = key.name;
  report.from = options.from;
  const auto started = clock.steady();
  Walk(source, options, report, open_heads(options, key, report)).run();
  report.took = clock.steady() - started;
  return report;
}

}  // namespace siegel::verify
