// Keeps the library non-empty where Catch2 v3 brings its own main.
namespace siegel::test {
int catch_anchor() { return 0; }
}  // namespace siegel::test
