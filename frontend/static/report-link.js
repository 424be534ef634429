/** The link to a report takes the page's view along: layer, iteration, criterion, threshold. */

document.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest("a[data-report]") : null;
  if (!(link instanceof HTMLAnchorElement)) return;
  const view = new URLSearchParams(location.search);
  const asked = new URLSearchParams({ runs: link.dataset.report ?? "" });
  for (const key of ["layer", "i", "c", "t"]) if (view.has(key)) asked.set(key, view.get(key) ?? "");
  link.href = `/report?${asked}`;
});
