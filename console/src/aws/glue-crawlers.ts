/** More of Glue's crawlers: making and removing, stopping, what their runs have done. */
import { collect } from './call';
import { type Crawler, type Seconds, glue } from './glue';

/** A crawler with everything that can be set here. */
export interface CrawlerDetails extends Crawler {
  TablePrefix?: string;
  Classifiers?: string[];
  Configuration?: string;
  SchemaChangePolicy?: { UpdateBehavior?: string; DeleteBehavior?: string };
  RecrawlPolicy?: { RecrawlBehavior?: string };
  Version?: number;
}

export interface NewCrawler {
  Name: string;
  Role: string;
  DatabaseName: string;
  Description?: string;
  TablePrefix?: string;
  Classifiers?: string[];
  Targets: { S3Targets: { Path: string; Exclusions?: string[] }[] };
  SchemaChangePolicy: { UpdateBehavior: string; DeleteBehavior: string };
}

/** A run; `Summary` counts what it changed, as JSON. */
export interface Crawl {
  CrawlId: string;
  State: string;
  StartTime: Seconds;
  EndTime?: Seconds;
  Summary?: string;
  ErrorMessage?: string;
  LogGroup?: string;
  LogStream?: string;
}

export const getCrawler = (Name: string) => glue<{ Crawler: CrawlerDetails }>('GetCrawler', { Name }).then((answer) => answer.Crawler);
export const createCrawler = (input: NewCrawler) => glue('CreateCrawler', input);
export const deleteCrawler = (Name: string) => glue('DeleteCrawler', { Name });
export const stopCrawler = (Name: string) => glue('StopCrawler', { Name });

/** The runs of a crawler, the newest first. */
export const listCrawls = (CrawlerName: string, most = 500) =>
  collect(async (NextToken) => {
    const page = await glue<{ Crawls: Crawl[]; NextToken?: string }>('ListCrawls', { CrawlerName, MaxResults: 100, NextToken });
    return { items: page.Crawls, next: page.NextToken };
  }, most);

/** The names of the classifiers that there are. */
export const classifierNames = () =>
  collect(async (NextToken) => {
    const page = await glue<{ Classifiers: Record<string, { Name?: string }>[]; NextToken?: string }>('GetClassifiers', { NextToken });
    const names = page.Classifiers.flatMap((kinds) => Object.values(kinds).flatMap(({ Name }) => Name ?? []));
    return { items: names, next: page.NextToken };
  });
