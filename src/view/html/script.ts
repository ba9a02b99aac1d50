/**
 * The script of the report: sorting and filtering of tables that are complete without it. It moves rows and hides them, and
 * makes no HTML of data.
 */
export const SCRIPT = `
(() => {
  'use strict';
  const make = (name, text) => { const e = document.createElement(name); if (text !== undefined) e.textContent = text; return e; };
  const keyOf = (row, column) => {
    const cell = row.cells[column];
    const exact = cell.getAttribute('data-v');
    return exact === null ? cell.textContent : exact === '' ? -Infinity : Number(exact);
  };
  for (const table of document.querySelectorAll('table.sorts')) {
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = make('button', head.textContent);
      button.type = 'button';
      head.textContent = '';
      head.append(button);
      button.addEventListener('click', () => {
        const numbers = head.classList.contains('n');
        const before = head.getAttribute('aria-sort');
        const down = before === null ? numbers : before === 'ascending';
        for (const other of heads) other.removeAttribute('aria-sort');
        head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
        const keyed = rows.map((row) => ({ row, key: keyOf(row, column) }));
        keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0) * (down ? -1 : 1));
        body.append(...keyed.map(({ row }) => row));
      });
    });
    if (rows.length < 6) continue;
    const label = make('label', 'Filter ' + table.caption.textContent + ': ');
    label.className = 'filter';
    const input = make('input');
    input.type = 'search';
    const status = make('span');
    status.setAttribute('role', 'status');
    label.append(input, ' ', status);
    table.parentElement.before(label);
    const texts = rows.map((row) => row.textContent.toLowerCase());
    input.addEventListener('input', () => {
      const wanted = input.value.toLowerCase();
      let shown = 0;
      rows.forEach((row, index) => {
        row.hidden = !texts[index].includes(wanted);
        if (!row.hidden) shown += 1;
      });
      status.textContent = wanted === '' ? '' : shown + ' of ' + rows.length;
    });
  }
  addEventListener('beforeprint', () => { for (const d of document.querySelectorAll('details')) d.open = true; });
})();
`;
