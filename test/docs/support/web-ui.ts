import { accessSync, constants, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Browser, type Locator, type Page } from 'playwright-core';
import { projectDir } from '../../../local/paths';

/** Debian's; `.ci/run` installs it. */
const CHROMIUM = '/usr/bin/chromium';
/** No sandbox, since root has none; nothing that calls home; no QUIC, which goes past a proxy. */
const FLAGS = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];
const VIEW = { width: 1400, height: 1100 };
const PATIENCE_MS = 30_000;
/** A run that is not listed by then was not there when the list was read. */
const LISTED_MS = 3_000;
/** A run that shows no details by then has closed. */
const SHOWN_MS = 10_000;

export function hasBrowser(): boolean {
  try {
    accessSync(CHROMIUM, constants.X_OK);
    return true;
  } catch {
    return false; // not installed: the tests say that they are skipped
  }
}

/** Somebody at the Temporal Web UI, with a browser of their own. What they see can be kept as a picture. */
export class WebUi {
  private pictures = 0;

  private constructor(
    private readonly browser: Browser,
    private readonly page: Page,
    private readonly url: string,
    private readonly folder: string,
  ) {}

  /** Pictures go to `.cutover/screenshots/<name>`. */
  static async launch(url: string, name: string): Promise<WebUi> {
    const folder = join(projectDir(), '.cutover', 'screenshots', name);
    mkdirSync(folder, { recursive: true });
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
    const page = await browser.newPage({ viewport: VIEW });
    page.setDefaultTimeout(PATIENCE_MS);
    return new WebUi(browser, page, `${url}/namespaces/default/workflows`, folder);
  }

  close(): Promise<void> {
    return this.browser.close();
  }

  async picture(of: string): Promise<void> {
    this.pictures += 1;
    const number = String(this.pictures).padStart(2, '0');
    await this.page.screenshot({ path: join(this.folder, `${number}-${of}.png`) });
  }

  /** Fills the form _Start Workflow_ and sends it. */
  async start(workflowId: string, type: string, input: object): Promise<void> {
    const { page } = this;
    await page.goto(`${this.url}/start-workflow`);
    await page.getByLabel('Workflow ID').fill(workflowId);
    await page.getByLabel('Task Queue').fill('cutover');
    await page.getByLabel('Workflow Type').fill(type);
    await this.typeJson(page.locator('main'), input);
    await this.picture('start');
    await this.answered(/\/workflows\//, page.getByRole('button', { name: 'Start Workflow', exact: true }));
  }

  /** Opens a run from the list of runs. Throws when it is not listed. */
  async open(workflowId: string): Promise<void> {
    const { page } = this;
    await page.goto(`${this.url}?query=${encodeURIComponent(`WorkflowId = '${workflowId}'`)}`);
    await page.getByRole('link', { name: workflowId, exact: true }).first().click({ timeout: LISTED_MS });
    await page.getByRole('tab', { name: 'User Metadata' }).waitFor();
  }

  /** Opens a run's _User Metadata_ as it is now. It has no current details once the run has closed. */
  async look(workflowId: string): Promise<void> {
    await this.open(workflowId);
    await this.page.getByRole('tab', { name: 'User Metadata' }).click();
    await this.page.getByRole('heading', { name: 'Current Details' }).waitFor({ timeout: SHOWN_MS });
  }

  /** What the page of a run says that has closed with an outcome. Throws when it has not. */
  async outcome(workflowId: string): Promise<string> {
    await this.open(workflowId);
    const main = this.page.locator('main');
    await main.getByText('"outcome"').first().waitFor({ timeout: SHOWN_MS });
    return main.innerText();
  }

  /** The current details of the run that is open, as text; a frame holds them. */
  async details(): Promise<string> {
    return this.page.frameLocator('iframe').last().locator('body').innerText();
  }

  /** Sends an Update by its dialog, to the run that is open. Throws when the server turns it away. */
  async update(name: string, input: object): Promise<void> {
    const dialog = await this.dialog('Send an Update');
    await dialog.getByRole('button', { name: 'Select an Update' }).click();
    await this.page.getByRole('option', { name: new RegExp(`^${name}\\b`) }).click();
    await this.typeJson(dialog, input);
    await this.picture(`update-${name}`);
    await this.answered(/\/update\//, dialog.getByRole('button', { name: 'Submit' }));
  }

  async signal(name: string, input: object): Promise<void> {
    const dialog = await this.dialog('Send a Signal');
    await dialog.getByRole('button', { name: 'Select a Signal' }).click();
    await this.page.getByRole('option', { name: new RegExp(`^${name}\\b`) }).click();
    await this.typeJson(dialog, input);
    await this.picture(`signal-${name}`);
    await this.answered(/\/signal\//, dialog.getByRole('button', { name: 'Submit' }));
  }

  private async dialog(item: string): Promise<Locator> {
    await this.page.getByRole('button', { name: 'More Actions' }).click();
    await this.page.getByRole('menuitem', { name: item }).click();
    return this.page.getByRole('dialog');
  }

  /** The editor lays its text out anew when it is left; the button below it moves then. */
  private async typeJson(where: Locator, input: object): Promise<void> {
    const editor = where.locator('.cm-content').first();
    await editor.click();
    await this.page.keyboard.insertText(JSON.stringify(input));
    await editor.blur();
  }

  /** Presses the button and waits for the server's answer to what it sends. Throws when it is no success. */
  private async answered(to: RegExp, button: Locator): Promise<void> {
    const answer = this.page.waitForResponse(
      (response) => response.request().method() === 'POST' && to.test(response.url()) && !/query/.test(response.url()),
    );
    await button.click();
    const response = await answer;
    if (!response.ok()) throw new Error(`${response.status()}: ${await response.text()}`);
  }
}
