// A click on a column's head sorts by it, a second click the other way round.
document.querySelectorAll("table.sortable").forEach(function (table) {
  var heads = Array.from(table.tHead.rows[0].cells), body = table.tBodies[0];
  function key(row, i) {
    var cell = row.cells[i];
    return cell.dataset.key === undefined ? cell.textContent : Number(cell.dataset.key);
  }
  function sort(i) {
    var now = heads[i].getAttribute("aria-sort");
    var up = now ? now === "descending" : i === 0; // names begin with A, numbers with the largest
    heads.forEach(function (h) { h.removeAttribute("aria-sort"); });
    heads[i].setAttribute("aria-sort", up ? "ascending" : "descending");
    Array.from(body.rows).map(function (row) { return [key(row, i), row]; }).sort(function (a, b) {
      var order = typeof a[0] === "string" || typeof b[0] === "string" ? String(a[0]).localeCompare(String(b[0])) : a[0] - b[0];
      return up ? order : -order;
    }).forEach(function (pair) { body.appendChild(pair[1]); });
  }
  heads.forEach(function (head, i) {
    head.tabIndex = 0;
    head.addEventListener("click", function () { sort(i); });
    head.addEventListener("keydown", function (e) { if (e.key === "Enter") sort(i); });
  });
});
